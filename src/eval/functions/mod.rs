//! Terraform's functions, one file a family.
