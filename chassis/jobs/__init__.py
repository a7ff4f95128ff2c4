"""Jobs: long work that ops start over REST and the event process does; it survives any process that is killed."""
