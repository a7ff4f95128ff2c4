"""Orders that wait for an answer about their stock, as those see them who run the shop."""
