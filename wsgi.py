"""The application for WSGI servers; `flask run` finds it here."""

from modular_app.app import create_app
from modular_app.serving import announce, end_on_sigterm

app = create_app()
announce(app)
end_on_sigterm()
