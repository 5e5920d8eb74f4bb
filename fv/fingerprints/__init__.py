"""Templates of faces: turned by a secret of their account, compared, erased."""
