//! Who there is: archive policies, rules, resource types, resources with their history, metrics.
