"""The numbered migrations of the database schema, and comments.sql with the descriptions of tables and columns."""
