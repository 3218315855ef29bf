"""Feeds of osCommerce and its descendants (CE Phoenix): orders as JSON lines, products as CSV."""
