"""Differentiate a root with respect to the parameters of its equation, through the `while` loop."""

import numpy as np

import s2sad


def eccentric_anomaly(mean_anomaly, eccentricity):
    """Solve Kepler's equation E - e sin(E) = M for E."""
    angle = mean_anomaly
    change = 1.0
    while abs(change) > 1e-14:
        change = (angle - eccentricity * np.sin(angle) - mean_anomaly) / (1.0 - eccentricity * np.cos(angle))
        angle -= change
    return angle


def main():
    anomaly, eccentricity = 1.2, 0.4
    gradient = s2sad.grad(eccentric_anomaly, argnums=(0, 1))
    slopes = gradient(anomaly, eccentricity)
    angle = eccentric_anomaly(anomaly, eccentricity)
    divisor = 1.0 - eccentricity * np.cos(angle)  # the implicit function theorem gives the same
    exact = (1.0 / divisor, np.sin(angle) / divisor)
    print(gradient.source)
    print(f"E = {angle:.10f}")
    for name, slope, other in zip(("dE/dM", "dE/de"), slopes, exact, strict=True):
        print(f"{name} = {slope:.10f}, by the implicit function theorem {other:.10f}")
    return slopes, exact


if __name__ == "__main__":
    main()
