"""The same decisions on a cluster: Kafka in, alerts and Parquet out, by Spark Structured Streaming.

Nothing in this room knows Django or a database; what it needs of the platform lies in a folder
that `scoring/streaming/handover.py` writes.
"""
