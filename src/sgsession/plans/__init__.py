"""The operations of a session, as generators that yield requests and merge what comes back. No I/O."""
