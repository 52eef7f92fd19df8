"""Curiosity: bonuses from what models of the world get wrong, are unsure of, or are surprised by."""
