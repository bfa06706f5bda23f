"""The controller: observe → decide → act. Joins the pool and the Evolution API."""
