"""Facts about functions: activity, needs and costs for derivatives; liveness and storage for emission."""
