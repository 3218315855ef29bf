"""How fast Counterfoil is on the machine at hand, each figure beside a raw limit taken in the same run."""
