"""What environment families share: the contract of a batch of environments, and engines that several families use."""
