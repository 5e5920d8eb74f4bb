"""Evidence: what photos become, and where they are kept."""
