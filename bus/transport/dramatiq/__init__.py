"""The transport between processes: Dramatiq on RabbitMQ or Redis."""
