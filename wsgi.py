"""The application for WSGI servers; `flask run` finds it here."""

from modular_app.serving import announce, end_on_sigterm, start

app = start()
announce(app)
end_on_sigterm(app)
