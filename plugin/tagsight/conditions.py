"""Conditions over tags: `[Plant/P101/Speed] > 100 and [Mode] = 'AUTO'`."""
