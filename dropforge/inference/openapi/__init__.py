"""The OpenAPI document of the API, made of the table of routes and of the contract's records."""
