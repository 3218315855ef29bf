"""Stand-ins for the outside world, run as processes of their own beside the shop in demo and tests."""
