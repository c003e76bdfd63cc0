"""Join: joins the predicted pieces of a batch into its predictions."""
