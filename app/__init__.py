"""The backend of an IAS test series."""
