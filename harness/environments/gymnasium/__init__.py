"""The family ``gymnasium``: every environment that is registered with Gymnasium, by its id.

* `config`: the settings, and what can be refused without importing anything;
* `registered_ids`: the ids that Gymnasium brings, read without importing it;
* `opening`: from the settings to an environment with its wrappers, or to a sentence that says what is wrong;
* `observations`, `actions`: from the environment's spaces to those of an agent;
* `adapter`: one environment as a batch steps it, with everything it returns checked;
* `family`: N of them.

Processes that only step environments import `adapter` and what it needs, and so never load torch.
"""
