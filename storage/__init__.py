"""Where things live: the database, the captures, the Markdown files, and the archive directory around them."""
