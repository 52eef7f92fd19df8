"""MyWayHome: a labyrinth of Doom seen from within, through EnvPool, with the starts of Pathak et al. 2017."""
