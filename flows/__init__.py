"""When and in what order things happen: discovering, fetching, deciding, and the flows and commands around them."""
