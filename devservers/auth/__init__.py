"""A small auth server with the API of Supabase Auth (GoTrue), for development and tests."""
