"""From the filters, sorting and fields of a request to rows and sums (wire.md 3)."""
