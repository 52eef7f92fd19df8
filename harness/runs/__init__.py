"""What runs leave behind: their folders, who holds one, their states, results and speeds."""
