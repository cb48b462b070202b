"""Records that keep coming: Kafka topics in and out, and MQTT."""
