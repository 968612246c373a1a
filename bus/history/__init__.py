"""What a module has published: reading it again."""
