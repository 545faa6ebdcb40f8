"""Where sgsession meets the official client: finding a site, and the clients that a pool lends."""
