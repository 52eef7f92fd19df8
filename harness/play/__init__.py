"""Looking at what a run has learned: play its policy again, film it, hand it to Stable-Baselines3.

* `opened`: a run's newest checkpoint, restored without a claim; nothing in a run's folder is ever changed;
* `playing`: episodes by that policy, with the run's own seeds or any others;
* `camera`, `reel`, `pictures`, `video`: from the steps of an episode to pictures, and to files of them;
* `films`: where strips of pictures lie beside the runs, so that reports find them;
* `window`: pictures as they come, in a window;
* `export`: the policy as a zip file of Stable-Baselines3.
"""
