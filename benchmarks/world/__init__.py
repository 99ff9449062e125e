"""The world outside, in processes of its own: a simulated Stripe, and a mail server that notes the time."""
