"""Everything that talks to something: settings, logging, Postgres, RabbitMQ and local development servers."""
