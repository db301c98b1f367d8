"""Ways into a Document from the frameworks that train networks."""
