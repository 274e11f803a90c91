"""A dispute about a key, played through from the exam to the revised ranks (`ias demo dispute`)."""
