"""Other shops' feeds: read, checked, masked, and handed on as plain values. Nothing is stored here."""
