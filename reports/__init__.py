"""From records to what people read: pictures, tables, single-file HTML pages."""
