//! Label schemas: mapping raw values and checking them.
