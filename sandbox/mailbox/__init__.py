"""A mailbox for the demo and the tests: a real SMTP server that delivers nothing and shows everything over HTTP."""
