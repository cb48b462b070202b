"""Work on real chunks that obeys orders: sleep, raise, or kill the worker that touches a number."""
