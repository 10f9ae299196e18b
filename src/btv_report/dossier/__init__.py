"""Values, labels, links and figures of a page, made from a run record. No SQL, no markup but the figures' own pictures."""
