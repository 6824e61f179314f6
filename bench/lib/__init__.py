"""What `bench/run` is made of: content, contenders, clients, measures, the table."""
