"""A small auth server with the wire of Supabase Auth (GoTrue): development and tests need no project."""
