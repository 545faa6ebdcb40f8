"""The files of a site: uploads on disk, their forms and addresses, thumbnails (wire.md 2.13)."""
