"""Self-supervised network distillation (Pechac, Chovanec and Farkas 2024)."""
