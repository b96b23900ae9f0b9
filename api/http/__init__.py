"""What every door's HTTP has in common: context, bodies, parameters, preferences, acceptance, errors, measures."""
