"""The deployments: thin Prefect flows around the plain functions. The only room that imports prefect."""
