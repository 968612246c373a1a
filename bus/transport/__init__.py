"""What carries envelopes from one module's outbox to another module's inbox, and acknowledgements back."""
