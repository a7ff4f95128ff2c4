"""Rendering: templates, texts and locales, and the MIME messages and previews that they become."""
