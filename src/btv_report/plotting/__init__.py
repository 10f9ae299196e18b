"""Pictures of check results for notebooks: Plotly figures, or drawings on matplotlib axes that the caller hands over."""
