//! The JSON front end.
