"""Every family of environments, for drivers that try what must hold in all of them; its episodes are short."""

from __future__ import annotations

ENVIRONMENTS = {
    "atari": "{family: atari, game: montezuma_revenge, episode_steps: 50}",
    "atari (bicubic, no-ops, fire)": (
        "{family: atari, game: breakout, episode_steps: 50, resize: bicubic, noop_max: 5, fire_reset: true, size: 48}"
    ),
    "classic_control": "{family: classic_control, task: mountain_car_continuous, episode_steps: 50}",
    "crafter": "{family: crafter, episode_steps: 50, size: 48}",
    "deep_sea": "{family: deep_sea, size: 30, deterministic: false}",
    "dm_control": "{family: dm_control, task: cartpole_swingup_sparse, episode_steps: 50, action_repeat: 2}",
    "dm_control (pixels)": "{family: dm_control, task: hopper_hop, episode_steps: 50, from_pixels: true, size: 48}",
    "gymnasium": "{family: gymnasium, id: CartPole-v1}",
    "gymnasium (processes, stacked)": "{family: gymnasium, id: Acrobot-v1, processes: 2, frame_stack: 3, episode_steps: 50}",
    "manipulation": "{family: manipulation, task: fetch_reach}",
    "mazes": "{family: mazes, task: point_umaze, episode_steps: 50}",
    "mazes (ant)": "{family: mazes, task: ant_umaze, episode_steps: 50}",
    "minigrid": "{family: minigrid, task: DoorKey-5x5, observation: flat, episode_steps: 50}",
    "minigrid (package)": "{family: minigrid, task: MultiRoom-N2-S4, observation: flat}",
    "procgen": "{family: procgen, game: coinrun}",
    "procgen (stacked, random actions)": "{family: procgen, game: maze, stack: 2, random_action: 0.1}",
    "vizdoom": "{family: vizdoom, task: my_way_home, episode_steps: 50, size: 48}",
}
"""Settings by a name that begins with that of the family; what is added to that holds a state of its own."""
